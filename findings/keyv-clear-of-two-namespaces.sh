#!/usr/bin/env bash
# keyv 5.6.0: two Keyvs with two namespaces on one store, here a Map; clear() of one empties the other.
#
# Guess: a namespace is what clear() keeps to, as get, set and delete do.
# Seen: the Map is emptied. Stores that keep to a namespace have room for one, which the Keyv made last has set.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/finding.sh"
install keyv@5.6.0

see "
import { Keyv } from 'keyv';
const store = new Map();
const users = new Keyv({ store, namespace: 'users' });
const orders = new Keyv({ store, namespace: 'orders' });
await users.set('1', 'Ada');
await orders.set('1', 'paid');
console.log('before:', await users.get('1'), await orders.get('1'));
await orders.clear();
console.log('after orders.clear():', await users.get('1'), await orders.get('1'));
" "before: Ada paid
after orders.clear(): undefined undefined"
