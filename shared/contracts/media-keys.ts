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
  /** An event that is too large for the bus. What is told again has another `seq`, and leaves this as it is. */
  event: (session: string, eventId: string, seq: number) => `${prefix.events(session)}${eventId}-${seq}.json`,
  /** The same as a stream has it: it may be a part of what the host has stored, where that is of a later version. */
  streamed: (session: string, eventId: string, seq: number) => `${prefix.events(session)}${eventId}-${seq}-stream.json`,
} as const;

/** Path of the API under which a `file` is. */
export const filePath = (key: string): string => `/api/${key}`;

/** What the keys of everything of a session begin with. */
export function mediaPrefixes(session: string): readonly string[] {
  return Object.values(prefix).map((of) => of(session));
}
