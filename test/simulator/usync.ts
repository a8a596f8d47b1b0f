import { type Account, type Device, lidJid, nowSeconds } from './accounts.ts';
import type { IqTable } from './iq-router.ts';
import type { Server } from './server.ts';
import { attrJid, attrText, type BinaryNode, bytes, child, children, node, requireChild } from './wire/binary-node.ts';
import { type Jid, jid } from './wire/jid.ts';

export const usyncIqs: IqTable = {
  'usync get usync': ({ server, device, child: usync }) => {
    const protocols = children(requireChild(usync, 'query'));
    const users = children(requireChild(usync, 'list'), 'user');
    return [
      node(
        'usync',
        {
          sid: attrText(usync, 'sid'),
          index: attrText(usync, 'index'),
          last: attrText(usync, 'last'),
          mode: attrText(usync, 'mode'),
          context: attrText(usync, 'context'),
        },
        [
          node(
            'result',
            {},
            protocols.map(({ tag }) => node(tag)),
          ),
          node(
            'list',
            {},
            users.map((user) => answerUser(server, device, protocols, user)),
          ),
        ],
      ),
    ];
  },
};

function answerUser(server: Server, asking: Device, protocols: readonly BinaryNode[], user: BinaryNode): BinaryNode {
  const number = child(user, 'contact');
  const asked = attrJid(user, 'jid');
  const query = number && bytes(number);
  const digits = query?.toString().replace(/\D/g, '') ?? '';
  const address: Jid = asked && asked.server !== 'c.us' ? asked : jid(asked?.user ?? digits, 's.whatsapp.net');
  const account = server.accounts.find(address);
  const answers = protocols.flatMap((protocol) => answerProtocol(asking, protocol.tag, address, account, query));
  return node('user', { jid: address }, answers);
}

function answerProtocol(
  asking: Device,
  protocol: string,
  address: Jid,
  account: Account | undefined,
  query: Buffer | undefined,
): readonly BinaryNode[] {
  if (protocol === 'contact') return [node('contact', { type: account ? 'in' : 'out' }, query)];
  if (!account) return [];
  switch (protocol) {
    case 'devices':
      account.deviceListWatchers.add(asking);
      return [deviceList(account)];
    case 'lid':
      // A LID's own LID would be stored by clients as if it were a phone number's.
      return address.server === 'lid' ? [] : [node('lid', { val: lidJid(account) })];
    case 'status':
      return [node('status', { t: String(account.about.at) }, Buffer.from(account.about.text))];
    case 'picture':
      return account.picture ? [node('picture', { id: account.picture.id })] : [];
    case 'disappearing_mode':
      return [node('disappearing_mode', { duration: '0', t: '0' })];
    default:
      return [];
  }
}

function deviceList(account: Account): BinaryNode {
  const devices = [...account.devices.keys()].map((id) =>
    node('device', { id: String(id), 'key-index': id > 0 ? String(id) : undefined }),
  );
  return node('devices', {}, [
    node('device-list', {}, devices),
    node('key-index-list', { ts: String(nowSeconds()) }, Buffer.alloc(0)),
  ]);
}
