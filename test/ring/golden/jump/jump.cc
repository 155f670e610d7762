// Prints golden vectors of jump consistent hash as JSON.
// JumpConsistentHash is the function of figure 1 of J. Lamping, E. Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014,
// arXiv:1406.2294.
#include <cstdint>
#include <cstdio>

int32_t JumpConsistentHash(uint64_t key, int32_t num_buckets) {
  int64_t b = -1, j = 0;
  while (j < num_buckets) {
    b = j;
    key = key * 2862933555777941757ULL + 1;
    j = (b + 1) * (double(1LL << 31) / double((key >> 33) + 1));
  }
  return b;
}

// Keys: small numbers and their complements, powers of two, and a generator (SplitMix64 from 1).
static uint64_t keys[1200];

int main() {
  int count = 0;
  for (uint64_t i = 0; i < 64; i++) {
    keys[count++] = i;
    keys[count++] = ~i;
    keys[count++] = 1ULL << i;
    keys[count++] = (1ULL << i) - 1;
  }
  for (uint64_t state = 1; count < 1200; count++) {
    uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    keys[count] = z ^ (z >> 31);
  }
  const int32_t sizes[] = {1, 2, 3, 10, 100, 1000, 65536, 1000000, 2147483647};
  printf("{\"keys\":\"");
  for (int i = 0; i < count; i++) printf("%016llx", (unsigned long long)keys[i]);
  printf("\",\"buckets\":{");
  for (int s = 0; s < 9; s++) {
    printf("%s\"%d\":[", s ? "," : "", sizes[s]);
    for (int i = 0; i < count; i++) printf("%s%d", i ? "," : "", JumpConsistentHash(keys[i], sizes[s]));
    printf("]");
  }
  printf("}}\n");
}
