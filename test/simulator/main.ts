import { parseArgs } from 'node:util';
import { decryptSchema } from './script.ts';
import { startSimulator } from './simulator.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    data: { type: 'string' },
    'ca-file': { type: 'string' },
    'receipt-delay': { type: 'string' },
    'delivery-delay': { type: 'string' },
    decrypt: { type: 'string', default: 'all' },
    'test-group': { type: 'string', default: 'Baileys Group Test' },
    'no-test-group': { type: 'boolean', default: false },
  },
});

const simulator = await startSimulator({
  port: Number(values.port),
  decrypt: decryptSchema.parse(values.decrypt),
  ...(values.data === undefined ? {} : { dataDir: values.data }),
  ...(values['ca-file'] === undefined ? {} : { caFile: values['ca-file'] }),
  ...(values['receipt-delay'] === undefined ? {} : { receiptDelayMs: Number(values['receipt-delay']) }),
  ...(values['delivery-delay'] === undefined ? {} : { deliveryDelayMs: Number(values['delivery-delay']) }),
  ...(values['no-test-group'] ? {} : { testGroup: values['test-group'] }),
});

const { port, wsUrl, wssUrl, rootKey, adminUrl, caFile } = simulator;
process.stdout.write(`${JSON.stringify({ event: 'listening', port, wsUrl, wssUrl, rootKey, adminUrl, caFile })}\n`);
if (process.stdout.isTTY) {
  process.stdout.write(`Point a client at ${wsUrl} (Baileys: waWebSocketUrl); scan its QR code with\n`);
  process.stdout.write(`  curl --data-raw "$QR" ${adminUrl}/mock-phone/scan-qr\n`);
  if (caFile) process.stdout.write(`and start it with NODE_EXTRA_CA_CERTS=${caFile} for media.\n`);
  process.stdout.write(`Trunkline: WHATSAPP_WS_URL=${wsUrl} WHATSAPP_ROOT_KEY=${rootKey} npm start\n`);
}

const end = () => void simulator.close().then(() => process.exit(0));
process.once('SIGTERM', end);
process.once('SIGINT', end);
// Whoever started it with a channel is gone.
process.once('disconnect', end);
