/** A request that names something the simulator does not have. */
export class NotFound extends Error {}
