/* Which pairs dropout takes: the word of the header's generator below probability * 2^32, at the very boundary too. */
#include <stdlib.h>

#include "attention.h"
#include "expect.h"
#include "naive.h"

enum { SQ = 3, SK = 6, H = 2, B = 2, PAIRS = B * H * SQ * SK };

/* Values are unit vectors and all scores are equal, so that output d of a row tells the fate of key d. */
static void expect_dropped(double probability, uint64_t seed) {
  float query[B * H * SQ] = {0}, key[B * H * SK] = {0}, value[B * H * SK * SK] = {0}, out[PAIRS];
  for (int i = 0; i < B * H * SK; i++) value[i * SK + i % SK] = 1;
  attn_problem p = attn_problem_init(ATTN_F32, B, H, H, SQ, SK, 1, SK);
  p.query.data = query, p.key.data = key, p.value.data = value;
  p.dropout_probability = probability;
  p.dropout_seed = seed;
  attn_output output = attn_output_bhsd(out, H, SQ, SK);
  const naive_problem rule = {.dropout_probability = probability, .dropout_seed = seed};
  EXPECT_INT(attn_forward(&p, &output, NULL), ATTN_OK);
  for (int b = 0, at = 0; b < B; b++)
    for (int h = 0; h < H; h++)
      for (int i = 0; i < SQ; i++)
        for (int j = 0; j < SK; j++, at++) {
          expect_context("probability * 2^32 = %.2f, pair (%d, %d, %d, %d)", probability * 0x1p32, b, h, i, j);
          EXPECT_INT(out[at] != 0, naive_kept(&rule, b, h, i, j));
        }
}

int main(void) {
  /* The word of pair (0, 0, 0, 0) under seed 0, by the generator's first known answer. */
  const double word = 0x6627e8d5;
  const double beside[] = {-1, -0.75, -0.25, 0, 0.25, 0.5, 0.75, 1};
  for (int i = 0; i < 8; i++) expect_dropped((word + beside[i]) / 0x1p32, 0);
  expect_dropped(0.5, 0xfedcba9876543210);
  expect_dropped(0x1p-40, 1);
  expect_dropped(1 - 0x1p-53, 1);
  return expect_finish();
}
