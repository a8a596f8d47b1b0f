import { IqError, type IqTable } from './iq-router.ts';
import { children, node, requireJid } from './wire/binary-node.ts';

/** Server properties and other questions a client asks out of habit. */
export const propertyIqs: IqTable = {
  'abt get props': () => [node('props', { ab_key: 'simulated', hash: 'simulated', refresh: '86400', refresh_id: '1' })],
  'w get props': () => [node('props', { hash: 'simulated', refresh: '86400' })],
  'w:stats set *': () => undefined,
  'urn:xmpp:whatsapp:dirty set clean': () => undefined,
  'urn:xmpp:whatsapp:push get *': () => undefined,
  'urn:xmpp:whatsapp:push set *': () => undefined,
  'w:mex get query': () => [node('result', {}, Buffer.from(JSON.stringify({ data: {} })))],
  'newsletter get *': () => {
    throw new IqError(404, 'item-not-found');
  },
  'bot get bot': () => [node('bot')],
  'w:biz get business_profile': ({ child }) => {
    const profiles = children(child, 'profile').map((profile) => node('profile', { jid: requireJid(profile, 'jid') }));
    return [node('business_profile', {}, profiles)];
  },
};
