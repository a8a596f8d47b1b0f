import { PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import QRCode from 'qrcode';
import * as z from 'zod';
import { eventEnvelopeSchema } from '#shared/contracts/events.ts';
import { BUS, EVENT_SOURCE } from '#shared/contracts/resources.ts';
import { functionArn } from '../embedded/aws-identity.ts';
import type { Platform } from './platform.ts';

const NAME = 'terminal-qr';
const busEventSchema = z.object({ detail: eventEnvelopeSchema });
const qrSchema = z.object({ value: z.string() });

/**
 * Shows a session's QR code in the terminal as long as it wants one, and each change of status.
 *
 * @param isWanted false while the platform stops: what a session is between two hosts means nothing then
 */
export async function showQrCodes(platform: Platform, isWanted: () => boolean): Promise<void> {
  const { functions, clients } = platform.cloud;
  const shown = new Map<string, string>();
  const handler = async (event: unknown): Promise<void> => {
    const { detail } = busEventSchema.parse(event);
    if (detail.event !== 'session.status' || !isWanted()) return;
    const { name, status } = detail.payload;
    if (status !== 'SCAN_QR_CODE') {
      shown.delete(name);
      process.stdout.write(`Session “${name}”: ${status}\n`);
      return;
    }
    const value = await currentQr(platform, name);
    if (value === undefined || shown.get(name) === value) return;
    shown.set(name, value);
    const picture = await QRCode.toString(value, { type: 'terminal', small: true, errorCorrectionLevel: 'L' });
    process.stdout.write(`\nSession “${name}”: scan with WhatsApp > Linked devices\n${picture}\n`);
  };
  functions.addAll({ [NAME]: { handler } });
  const EventPattern = JSON.stringify({ source: [EVENT_SOURCE], 'detail-type': ['session.status'] });
  await clients.eventBridge.send(new PutRuleCommand({ Name: NAME, EventBusName: BUS, EventPattern }));
  const Targets = [{ Id: NAME, Arn: functionArn(NAME) }];
  await clients.eventBridge.send(new PutTargetsCommand({ Rule: NAME, EventBusName: BUS, Targets }));
}

async function currentQr({ url, apiKey }: Platform, session: string): Promise<string | undefined> {
  const response = await fetch(`${url}/api/${session}/auth/qr?format=raw`, { headers: { 'x-api-key': apiKey } });
  return response.ok ? qrSchema.parse(await response.json()).value : undefined;
}
