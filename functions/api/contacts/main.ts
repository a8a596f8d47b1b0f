import { contactsOperations } from '#shared/contracts/api/contacts.ts';
import { createAwsApiDeps } from '../aws-deps.ts';
import { createGroupFunction } from '../router.ts';
import { createContactsHandlers } from './contacts-handlers.ts';

const deps = createAwsApiDeps(process.env);

export const handler = createGroupFunction(contactsOperations, createContactsHandlers(deps), deps);
