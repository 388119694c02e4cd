/* The generator of the oracle against the known answers of Random123. */
#include "expect.h"
#include "naive.h"

static void expect_answer(uint32_t counter, uint32_t key, const uint32_t answer[4]) {
  uint32_t words[4] = {counter, counter, counter, counter};
  const uint32_t keys[2] = {key, key};
  naive_philox(words, keys);
  expect_context("philox of %08x", (unsigned)counter);
  for (int i = 0; i < 4; i++) EXPECT_INT(words[i], answer[i]);
}

int main(void) {
  expect_answer(0, 0, (const uint32_t[]){0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  expect_answer(0xffffffff, 0xffffffff, (const uint32_t[]){0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  /* The digits of pi, the third answer published there. */
  uint32_t words[4] = {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344};
  naive_philox(words, (const uint32_t[]){0xa4093822, 0x299f31d0});
  const uint32_t answer[4] = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
  expect_context("philox of pi");
  for (int i = 0; i < 4; i++) EXPECT_INT(words[i], answer[i]);
  return expect_finish();
}
