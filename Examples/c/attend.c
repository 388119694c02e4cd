/* Causal attention over two padded sequences with grouped heads: eight query heads read two key/value heads. */
#include <attention.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 2, HEADS = 8, KV_HEADS = 2, LENGTH = 128, DIM = 64 };

/* `count` numbers in [-1, 1), the same on every machine. */
static float *numbers(size_t count, unsigned state) {
  float *array = malloc(count * sizeof *array);
  if (!array) exit(EXIT_FAILURE);
  for (size_t i = 0; i < count; i++) {
    state = state * 1664525u + 1013904223u;
    array[i] = (float)(state >> 8) / 8388608 - 1;
  }
  return array;
}

int main(void) {
  const size_t query_count = BATCH * HEADS * LENGTH * DIM, key_count = BATCH * KV_HEADS * LENGTH * DIM;
  float *query = numbers(query_count, 1), *key = numbers(key_count, 2), *value = numbers(key_count, 3);
  float *out = calloc(query_count, sizeof *out), *log_sums = calloc(BATCH * HEADS * LENGTH, sizeof *log_sums);
  if (!out || !log_sums) return EXIT_FAILURE;

  /* [B, H, S, D] arrays; the second sequence has 90 keys, what lies behind them is never read. */
  const int64_t key_lengths[BATCH] = {128, 90};
  attn_problem problem = attn_problem_init(ATTN_F32, BATCH, HEADS, KV_HEADS, LENGTH, LENGTH, DIM, DIM);
  problem.query.data = query;
  problem.key.data = key;
  problem.value.data = value;
  problem.causal = true;
  problem.key_lengths = key_lengths;

  attn_output output = attn_output_bhsd(out, HEADS, LENGTH, DIM);
  attn_output lse = attn_output_bhsd(log_sums, HEADS, LENGTH, 1);
  attn_status status = attn_forward(&problem, &output, &lse);
  if (status != ATTN_OK) {
    fprintf(stderr, "%s: %s\n", attn_status_string(status), attn_error_message());
    return EXIT_FAILURE;
  }

  attn_plan_info plan;
  if (attn_plan_forward(&problem, &plan) != ATTN_OK) return EXIT_FAILURE;
  printf("attention %s, kernel %s, %d threads, %.1f MFLOP\n", attn_version(), plan.kernel, (int)plan.threads,
         plan.flops / 1e6);
  printf("output[0, 0, 0, :3] = %g %g %g\n", (double)out[0], (double)out[1], (double)out[2]);
  printf("lse[1, 7, 127] = %g\n", (double)log_sums[BATCH * HEADS * LENGTH - 1]);

  /* The first query sees the first key alone, so it reads the first value as it stands. */
  int differ = 0;
  for (int d = 0; d < DIM; d++) differ += out[d] != value[d];
  free(query), free(key), free(value), free(out), free(log_sums);
  return differ ? EXIT_FAILURE : EXIT_SUCCESS;
}
