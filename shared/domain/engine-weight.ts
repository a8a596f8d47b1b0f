/**
 * What a session costs a host, in sessions of NOWEB: starting figures, to be corrected by measurement. A browser takes
 * about 350 MB and a quarter of a CPU.
 */
const WEIGHTS: Readonly<Record<string, number>> = { NOWEB: 1, GOWS: 0.7, WEBJS: 200 };

/** @param engine name of an engine; one that is not in the table counts as NOWEB */
export function engineWeight(engine: string): number {
  return WEIGHTS[engine] ?? 1;
}
