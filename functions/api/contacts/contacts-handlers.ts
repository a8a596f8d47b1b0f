import type { contactsOperations } from '#shared/contracts/api/contacts.ts';
import { commandReply } from '../command-reply.ts';
import type { JobDeps } from '../deps.ts';
import type { ApiHandlers } from '../request.ts';
import { preferredWaitMs } from '../request-headers.ts';
import { checkExists } from '../use-cases/check-exists.ts';
import { findSession } from '../use-cases/find-session.ts';

/** People. */
export function createContactsHandlers(deps: JobDeps): ApiHandlers<typeof contactsOperations> {
  return {
    checkExists: async ({ operation, query, headers }) => {
      const session = await findSession(deps, operation, query.session);
      return commandReply(await checkExists(deps, session, query.phone, preferredWaitMs(headers)));
    },
  };
}
