/** Where a session's things lie in the media bucket: each kind under a prefix of its own. */
const prefix = {
  out: (session: string) => `out/${session}/`,
  files: (session: string) => `files/${session}/`,
  events: (session: string) => `events/${session}/`,
} as const;

export const mediaKey = {
  /** Media to send. */
  out: (session: string, jobId: string, digest: string) => `${prefix.out(session)}${jobId}/${digest}`,
  /** Received media, as `GET /api/files/…` names it. */
  file: (session: string, name: string) => `${prefix.files(session)}${name}`,
  /** An event that is too large for the bus. */
  event: (session: string, eventId: string) => `${prefix.events(session)}${eventId}.json`,
} as const;

/** Path of the API under which a `file` is. */
export const filePath = (key: string): string => `/api/${key}`;

/** What the keys of everything of a session begin with. */
export function mediaPrefixes(session: string): readonly string[] {
  return Object.values(prefix).map((of) => of(session));
}
