/** What an idle session of each engine takes of a host, in units: one websocket session of NOWEB is one unit. */
const WEIGHTS = {
  NOWEB: 1,
  GOWS: 0.7,
  /** A browser: 300 to 400 MB and a quarter of a CPU. */
  WEBJS: 200,
  SCRIPTED: 1,
} as const;

export function sessionWeight(engine: keyof typeof WEIGHTS): number {
  return WEIGHTS[engine];
}
