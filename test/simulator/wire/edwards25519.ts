/** Arithmetic on the curve behind Ed25519 (RFC 8032). Not constant-time: for simulated keys only. */

const P = 2n ** 255n - 19n;
const D = mod(-121665n * inverse(121666n));

/** Order of the base point. */
export const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/** Extended coordinates: x = X/Z, y = Y/Z, T = XY/Z. */
interface Point {
  readonly X: bigint;
  readonly Y: bigint;
  readonly Z: bigint;
  readonly T: bigint;
}

const IDENTITY: Point = { X: 0n, Y: 1n, Z: 1n, T: 0n };
const BASE: Point = affine(
  15112221349535400772501151409588531511454012693041857206046113283949847762202n,
  46316835694926478169428394003475163141307993866256225615783033603165251855960n,
);

/** `scalar` times the base point in its 32 byte encoding: y little endian, sign of x in the highest bit. */
export function encodeBaseMultiple(scalar: bigint): Buffer {
  let result = IDENTITY;
  let power = BASE;
  for (let left = scalar; left > 0n; left >>= 1n) {
    if (left & 1n) result = add(result, power);
    power = add(power, power);
  }
  const zInverse = inverse(result.Z);
  const encoded = toLittleEndian(mod(result.Y * zInverse));
  if (mod(result.X * zInverse) & 1n) encoded[31] = (encoded[31] ?? 0) | 0x80;
  return encoded;
}

/**
 * Maps a Curve25519 public key (u coordinate) to the y coordinate of the same point on the Edwards curve, 32 bytes with the
 * sign bit 0. `undefined` for a u that is not reduced or has no image.
 */
export function edwardsYOfMontgomeryU(publicKey: Buffer): Buffer | undefined {
  const u = fromLittleEndian(publicKey);
  if (u >= P - 1n) return undefined;
  return toLittleEndian(mod((u - 1n) * inverse(u + 1n)));
}

export function fromLittleEndian(bytes: Buffer): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

/** 32 bytes, little endian. */
export function toLittleEndian(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();
}

function affine(X: bigint, Y: bigint): Point {
  return { X, Y, Z: 1n, T: mod(X * Y) };
}

function add(p: Point, q: Point): Point {
  const a = (p.Y - p.X) * (q.Y - q.X);
  const b = (p.Y + p.X) * (q.Y + q.X);
  const c = mod(2n * D * p.T) * q.T;
  const d = 2n * p.Z * q.Z;
  const e = mod(b - a);
  const f = mod(d - c);
  const g = mod(d + c);
  const h = mod(b + a);
  return { X: mod(e * f), Y: mod(g * h), Z: mod(f * g), T: mod(e * h) };
}

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function inverse(value: bigint): bigint {
  let result = 1n;
  let base = mod(value);
  for (let exponent = P - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = mod(result * base);
    base = mod(base * base);
  }
  return result;
}
