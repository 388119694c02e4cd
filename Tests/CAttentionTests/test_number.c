/* The tests' own conversions, on numbers whose encodings are known. */
#include "number.h"

#include <math.h>

#include "expect.h"

static void expect_code(attn_type type, double x, unsigned code) {
  uint16_t bits;
  number_set(type, &bits, 0, x);
  expect_context("%s %.9g", number_type_name(type), x);
  EXPECT_INT(bits, code);
}

int main(void) {
  expect_code(ATTN_F16, 1, 0x3c00);
  expect_code(ATTN_F16, -2, 0xc000);
  expect_code(ATTN_F16, 65504, 0x7bff);
  expect_code(ATTN_F16, 65519.99, 0x7bff);
  expect_code(ATTN_F16, 65520, 0x7c00);
  expect_code(ATTN_F16, 0x1p-24, 0x0001);
  expect_code(ATTN_F16, 0x1p-25, 0x0000);
  expect_code(ATTN_F16, 0x1.8p-24, 0x0002);
  expect_code(ATTN_F16, 0x1p-14, 0x0400);
  expect_code(ATTN_F16, 1 + 0x1p-11, 0x3c00);
  expect_code(ATTN_F16, 1 + 0x3p-11, 0x3c02);
  expect_code(ATTN_BF16, 1, 0x3f80);
  expect_code(ATTN_BF16, 1 + 0x1p-8, 0x3f80);
  expect_code(ATTN_BF16, 1 + 0x3p-8, 0x3f82);
  expect_code(ATTN_BF16, -INFINITY, 0xff80);
  for (int type = ATTN_F16; type <= ATTN_BF16; type++)
    for (int code = 0; code < 65536; code++) {
      uint16_t bits = (uint16_t)code, back;
      double x = number_get((attn_type)type, &bits, 0);
      if (isnan(x)) continue;
      number_set((attn_type)type, &back, 0, x);
      expect_context("%s %04x", number_type_name((attn_type)type), (unsigned)code);
      EXPECT_INT(back, code);
    }
  EXPECT(number_half_ulp(ATTN_F32, 1.5) == 0x1p-24);
  EXPECT(number_half_ulp(ATTN_F16, 0) == 0x1p-25);
  return expect_finish();
}
