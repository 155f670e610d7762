/**
 * The part of a key that is hashed.
 *
 * The rule of Redis Cluster ("Redis cluster specification", section "Hash tags"): the text between the first `{` and
 * the first `}` after it, when that is not empty; else the whole key. `{user:7}:name` and `{user:7}:mail` therefore
 * live on the same nodes.
 */
export function routingKeyOf(key: string): string {
  const open = key.indexOf('{');
  if (open === -1) return key;
  const close = key.indexOf('}', open + 1);
  return close <= open + 1 ? key : key.slice(open + 1, close);
}
