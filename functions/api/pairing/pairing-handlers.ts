import QRCode from 'qrcode';
import type { pairingOperations } from '#shared/contracts/api/pairing.ts';
import { WrongStateError } from '#shared/domain/errors.ts';
import { NoPairingCodeError } from '../api-errors.ts';
import { commandReply } from '../command-reply.ts';
import type { JobDeps } from '../deps.ts';
import { bytes, json } from '../reply.ts';
import type { ApiHandlers } from '../request.ts';
import { preferredWaitMs, wantsJson } from '../request-headers.ts';
import { awaitQr } from '../use-cases/await-qr.ts';
import { findSession } from '../use-cases/find-session.ts';
import { awaitStatus, runCommand } from '../use-cases/run-command.ts';

/** Linking a session to a phone. */
export function createPairingHandlers(deps: JobDeps): ApiHandlers<typeof pairingOperations> {
  return {
    getQr: async ({ operation, params, query, headers }) => {
      const value = await awaitQr(deps, await findSession(deps, operation, params.session));
      if (query.format === 'raw') return json({ value });
      const png = await QRCode.toBuffer(value, { type: 'png', errorCorrectionLevel: 'L', margin: 4, scale: 6 });
      if (wantsJson(headers)) return json({ mimetype: 'image/png', data: png.toString('base64') });
      return bytes(png, 'image/png');
    },
    requestCode: async ({ operation, params, body, headers }) => {
      const session = await findSession(deps, operation, params.session);
      const ready = await awaitStatus(deps, session, 'SCAN_QR_CODE').catch((error: unknown) => {
        throw error instanceof WrongStateError ? new NoPairingCodeError(error.status) : error;
      });
      const command = { type: 'requestPairingCode', phone: body.phoneNumber } as const;
      return commandReply(await runCommand(deps, ready, command, preferredWaitMs(headers)));
    },
  };
}
