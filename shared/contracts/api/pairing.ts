import * as z from 'zod';
import { base64FileSchema, pairingCodeSchema, pendingJobSchema, qrValueSchema } from './bodies.ts';
import { phoneField, sessionParam } from './fields.ts';
import { defineOperations } from './operation.ts';

const params = z.object({ session: sessionParam });

export const pairingOperations = defineOperations('pairing', {
  getQr: {
    method: 'GET',
    path: '/api/{session}/auth/qr',
    scope: 'control',
    summary: 'Get the QR code to pair with: a PNG, the PNG in base64 (Accept: application/json), or its text',
    session: 'params.session',
    makes: 'read',
    engines: 'all',
    request: { params, query: z.object({ format: z.enum(['image', 'raw']).default('image') }) },
    response: { status: 200, schema: z.union([base64FileSchema, qrValueSchema]), binary: ['image/png'] },
  },
  requestCode: {
    method: 'POST',
    path: '/api/{session}/auth/request-code',
    scope: 'control',
    summary: 'Get a code to pair with by phone number',
    session: 'params.session',
    makes: 'requestPairingCode',
    audited: true,
    engines: 'all',
    request: { params, body: z.object({ phoneNumber: phoneField, method: z.string().nullish() }) },
    response: { status: 201, schema: pairingCodeSchema, also: { 202: pendingJobSchema } },
  },
});
