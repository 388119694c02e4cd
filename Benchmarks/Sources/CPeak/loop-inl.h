/*
 * One loop. Include inside the target region with
 *   PEAK_NAME            the function's name
 *   PEAK_REAL            float or double
 *   PEAK_BYTES           of a vector
 *   PEAK_CHAINS          a repetition macro of chains.h
 *   PEAK_REGISTER        inline assembly constraint of a vector register
 *   PEAK_STEP(a, x, y)   a multiply-add that continues the chain a
 *
 * Each chain is a variable of its own: an array of accumulators was spilled at -O2 and measured the store buffer, less
 * than a third of the true rate. The empty assembly hides the operands' values, so that nothing is folded or merged,
 * and uses the results, so that nothing is dropped; it emits no instructions.
 */
static void PEAK_NAME(int64_t iterations) {
  typedef PEAK_REAL vector __attribute__((vector_size(PEAK_BYTES)));
  /* a * x + y tends to 1 and a + x * y grows slowly: no chain overflows or becomes denormal. */
  vector x = (PEAK_REAL)0.5 - (vector){0}, y = x;
  __asm__ volatile("" : "+" PEAK_REGISTER(x), "+" PEAK_REGISTER(y));
#define PEAK_DECLARE(i) vector a##i = (PEAK_REAL)i - (vector){0};
  PEAK_CHAINS(PEAK_DECLARE)
  for (int64_t n = 0; n < iterations; n++) {
#define PEAK_ADVANCE(i) a##i = PEAK_STEP(a##i, x, y);
    PEAK_CHAINS(PEAK_ADVANCE)
  }
#define PEAK_USE(i) __asm__ volatile("" : : PEAK_REGISTER(a##i));
  PEAK_CHAINS(PEAK_USE)
#undef PEAK_DECLARE
#undef PEAK_ADVANCE
#undef PEAK_USE
}

#undef PEAK_NAME
#undef PEAK_REAL
#undef PEAK_BYTES
#undef PEAK_CHAINS
#undef PEAK_REGISTER
#undef PEAK_STEP
