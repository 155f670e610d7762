/*
 * Asks libmemcached which server it would choose for each key. Opens no connection.
 *
 * Arguments: 'plain' or 'weighted' (MEMCACHED_BEHAVIOR_KETAMA or MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED), the number of the
 * hash (MEMCACHED_HASH_*, or -1 to leave it as it is), then the servers as host, port, weight.
 * Standard input: the keys, one a line, in hexadecimal. Standard output: the index of a server for each key.
 */
#include <libmemcached/memcached.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(int ok, const char *what) {
  if (!ok) {
    fprintf(stderr, "failed: %s\n", what);
    exit(1);
  }
}

int main(int argc, char **argv) {
  expect(argc >= 6 && argc % 3 == 0, "arguments");
  memcached_st *client = memcached_create(NULL);
  int weighted = strcmp(argv[1], "weighted") == 0;
  memcached_behavior_t ketama = weighted ? MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED : MEMCACHED_BEHAVIOR_KETAMA;
  expect(memcached_behavior_set(client, ketama, 1) == MEMCACHED_SUCCESS, "ketama");
  int hash = atoi(argv[2]);
  if (hash >= 0) expect(memcached_behavior_set(client, MEMCACHED_BEHAVIOR_HASH, (uint64_t) hash) == MEMCACHED_SUCCESS, "hash");
  for (int i = 3; i < argc; i += 3) {
    memcached_return_t added = memcached_server_add_with_weight(client, argv[i], (in_port_t) atoi(argv[i + 1]),
                                                                (uint32_t) strtoul(argv[i + 2], NULL, 10));
    expect(added == MEMCACHED_SUCCESS, "server");
  }
  static char line[65536], key[32768];
  while (fgets(line, sizeof line, stdin)) {
    size_t length = strcspn(line, "\n") / 2;
    for (size_t i = 0; i < length; i++) {
      unsigned int byte;
      sscanf(line + 2 * i, "%2x", &byte);
      key[i] = (char) byte;
    }
    printf("%u\n", memcached_generate_hash(client, key, length));
  }
  memcached_free(client);
  return 0;
}
