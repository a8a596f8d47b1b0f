import { pino } from 'pino';

/** Baileys logs stanzas, names and keys; nothing of that may reach a log. One logger for all sessions of the process. */
export const quietLogger = pino({ level: 'silent' });
