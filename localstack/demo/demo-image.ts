import sharp from 'sharp';

/** A small picture, made here: PNG, 320 × 200. */
export async function demoImage(): Promise<Uint8Array> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="320" height="200">
    <rect width="320" height="200" fill="#0b3d2e"/>
    <circle cx="160" cy="100" r="60" fill="#f4d35e"/>
    <rect x="0" y="94" width="320" height="12" fill="#ee964b"/>
  </svg>`;
  return new Uint8Array(await sharp(Buffer.from(svg)).png().toBuffer());
}
