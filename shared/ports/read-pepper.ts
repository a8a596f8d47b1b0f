import type { KeyPepper } from '../domain/key-pepper.ts';

/** Gives the installation's pepper; read on first use, and again only if that has failed. @throws DependencyError */
export type ReadPepper = () => Promise<KeyPepper>;
