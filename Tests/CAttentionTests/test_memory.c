/* Memory grows with the tile and the threads, not with the sequence. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "attention.h"
#include "expect.h"

#define LIMIT (32 << 20)

/* The most memory this process has had, in bytes; 0 where the system does not say. */
static int64_t peak_bytes(void) {
  FILE *file = fopen("/proc/self/status", "r");
  char line[256];
  long long kilobytes = 0;
  while (file && fgets(line, sizeof line, file))
    if (sscanf(line, "VmHWM: %lld kB", &kilobytes) == 1) break;
  if (file) fclose(file);
  return kilobytes * 1024;
}

static void plans(void) {
  const int64_t lengths[] = {1024, 65536, 1 << 20};
  int64_t scratch[3];
  for (int i = 0; i < 3; i++) {
    attn_problem p = attn_problem_init(ATTN_F32, 1, 1, 1, lengths[i], lengths[i], 64, 64);
    p.causal = true;
    p.threads = 8;
    attn_plan_info info;
    expect_context("plan of S = %lld", (long long)lengths[i]);
    EXPECT_INT(attn_plan_forward(&p, &info), ATTN_OK);
    EXPECT(info.scratch_bytes > 0 && info.scratch_bytes < LIMIT);
    EXPECT_NEAR(info.visible_pairs, (double)lengths[i] * (double)(lengths[i] + 1) / 2, 0);
    EXPECT_NEAR(info.flops, 2 * 128 * info.visible_pairs, 0);
    EXPECT(info.flops_executed >= info.flops);
    EXPECT(info.expected_share > 0.5 && info.expected_share < info.flops / info.flops_executed);
    EXPECT(info.tiles_skipped > 0 || lengths[i] <= info.block_keys);
    scratch[i] = info.scratch_bytes;
  }
  EXPECT(scratch[2] <= 2 * scratch[1]);
}

static void a_run(void) {
  enum { S = 8192, D = 64 };
  float *arrays[4];
  for (int i = 0; i < 4; i++) {
    arrays[i] = malloc(S * D * sizeof(float));
    for (int n = 0; n < S * D; n++) arrays[i][n] = (float)(n * (i + 7) % 97) / 48 - 1;
  }
  attn_problem p = attn_problem_init(ATTN_F32, 1, 1, 1, S, S, D, D);
  p.query.data = arrays[0];
  p.key.data = arrays[1];
  p.value.data = arrays[2];
  p.causal = true;
  p.threads = 2;
  attn_output output = attn_output_bhsd(arrays[3], 1, S, D);
  int64_t before = peak_bytes();
  expect_context("a run of S = %d", S);
  EXPECT_INT(attn_forward(&p, &output, NULL), ATTN_OK);
  EXPECT(peak_bytes() - before < LIMIT); /* the scores alone would be 256 MiB */
  for (int i = 0; i < 4; i++) free(arrays[i]);
}

/* glibc takes a block of 24 MiB from the system and gives it back; afterwards it comes from the heap, and stays there. */
static void kept_memory(void) {
  expect_context("kept memory");
  attn_keep_freed_memory();
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
  size_t mapped = mallinfo2().hblks;
  char *block = malloc(24 << 20);
  EXPECT(block);
  memset(block, 1, 24 << 20);
  size_t heap = mallinfo2().arena;
  EXPECT(mallinfo2().hblks == mapped);
  free(block);
  EXPECT(mallinfo2().arena >= heap);
#endif
}

int main(void) {
  plans();
  a_run();
  kept_memory();
  return expect_finish();
}
