import type { ContentReader } from './content.ts';

/** A place, and where somebody is while they share it. */
export const readLocation: ContentReader = ({ locationMessage, liveLocationMessage }) => {
  if (locationMessage) {
    return {
      type: 'location',
      body: locationMessage.comment ?? locationMessage.name ?? '',
      context: locationMessage.contextInfo,
      location: {
        latitude: String(locationMessage.degreesLatitude ?? 0),
        longitude: String(locationMessage.degreesLongitude ?? 0),
        live: locationMessage.isLive ?? false,
        name: locationMessage.name ?? null,
        address: locationMessage.address ?? null,
        url: locationMessage.url ?? null,
        description: locationMessage.comment ?? null,
        thumbnail: base64(locationMessage.jpegThumbnail),
      },
    };
  }
  if (!liveLocationMessage) return undefined;
  return {
    type: 'live-location',
    body: liveLocationMessage.caption ?? '',
    context: liveLocationMessage.contextInfo,
    location: {
      latitude: String(liveLocationMessage.degreesLatitude ?? 0),
      longitude: String(liveLocationMessage.degreesLongitude ?? 0),
      live: true,
      description: liveLocationMessage.caption ?? null,
      thumbnail: base64(liveLocationMessage.jpegThumbnail),
    },
  };
};

function base64(bytes: Uint8Array | null | undefined): string | null {
  return bytes && bytes.length > 0 ? Buffer.from(bytes).toString('base64') : null;
}
