/** How far a message has come (WAHA's `ack` numbers). */
export const ACKS = { ERROR: -1, PENDING: 0, SERVER: 1, DEVICE: 2, READ: 3, PLAYED: 4 } as const;

export type AckName = keyof typeof ACKS;
export type Ack = (typeof ACKS)[AckName];

export function ackName(ack: Ack): AckName {
  switch (ack) {
    case -1:
      return 'ERROR';
    case 0:
      return 'PENDING';
    case 1:
      return 'SERVER';
    case 2:
      return 'DEVICE';
    case 3:
      return 'READ';
    case 4:
      return 'PLAYED';
  }
}
