/* attn_alibi_slopes against the lists that the code of the paper's authors prints. */
#include <math.h>

#include "attention.h"
#include "expect.h"

static void expect_slopes(int64_t heads, const double *exponents) {
  double slopes[17] = {0};
  slopes[heads] = -1;
  expect_context("%d heads", (int)heads);
  EXPECT_INT(attn_alibi_slopes(heads, slopes), ATTN_OK);
  /* 2^-e: exact for whole e, else within the last place of exp2. */
  for (int64_t h = 0; h < heads; h++)
    EXPECT_NEAR(slopes[h], exp2(-exponents[h]), 0x1p-52 * exp2(-exponents[h]));
  EXPECT(slopes[heads] == -1);
}

int main(void) {
  expect_slopes(8, (const double[]){1, 2, 3, 4, 5, 6, 7, 8});
  expect_slopes(12, (const double[]){1, 2, 3, 4, 5, 6, 7, 8, 0.5, 1.5, 2.5, 3.5});
  expect_slopes(16, (const double[]){0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8});
  expect_slopes(1, (const double[]){8});
  expect_slopes(3, (const double[]){4, 8, 2});
  expect_slopes(0, NULL);
  return expect_finish();
}
