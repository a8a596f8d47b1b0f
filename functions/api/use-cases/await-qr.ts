import type { SessionRow } from '#shared/contracts/rows.ts';
import { WrongStateError } from '#shared/domain/errors.ts';
import type { Clock } from '#shared/ports/clock.ts';
import { NoQrCodeError } from '../api-errors.ts';
import type { ApiDeps } from '../deps.ts';
import { pollUntil } from '../poll.ts';

/**
 * Text of the QR code on show. Waits for it while the session is on its way there, or the last one has expired.
 *
 * @throws WrongStateError, NoQrCodeError
 */
export async function awaitQr(
  { sessions, clock, config }: Pick<ApiDeps, 'sessions' | 'clock' | 'config'>,
  session: SessionRow,
): Promise<string> {
  const onItsWay = (row: SessionRow) =>
    row.desired === 'RUNNING' && (row.status === 'STARTING' || row.status === 'SCAN_QR_CODE');
  const row = await pollUntil(
    async () => (await sessions.get(session.name)) ?? session,
    (now) => qrOf(now, clock) !== undefined || !onItsWay(now),
    config.stateWaitMs,
    clock,
  );
  const value = qrOf(row, clock);
  if (value === undefined && row.status === 'SCAN_QR_CODE') throw new NoQrCodeError();
  if (value === undefined) throw new WrongStateError(row.name, row.status, ['SCAN_QR_CODE']);
  return value;
}

function qrOf(row: SessionRow, clock: Pick<Clock, 'now'>): string | undefined {
  if (row.status !== 'SCAN_QR_CODE' || row.qr === null || row.qr.expiresAt <= clock.now()) return undefined;
  return row.qr.value;
}
