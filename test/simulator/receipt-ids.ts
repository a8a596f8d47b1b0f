import { type BinaryNode, child, children, requireText } from './wire/binary-node.ts';

/** The message ids a receipt stands for: its own and those of its list. */
export function receiptIds(receipt: BinaryNode): readonly string[] {
  const list = child(receipt, 'list');
  const more = list ? children(list, 'item').map((item) => requireText(item, 'id')) : [];
  return [requireText(receipt, 'id'), ...more];
}
