#include "dispatch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"
#if defined(__x86_64__)
#include <cpuid.h>

/* The system must save the registers too: XCR0, which xgetbv reads, says so. */
static uint64_t saved_state(void) {
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

static bool attn_cpu_has_avx2(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return false;
  const uint32_t fma = 1u << 12, osxsave = 1u << 27, avx = 1u << 28, f16c = 1u << 29;
  if ((c & (fma | osxsave | avx | f16c)) != (fma | osxsave | avx | f16c)) return false;
  if ((saved_state() & 0x6) != 0x6) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 5);
}

static bool attn_cpu_has_avx512(void) {
  uint32_t a, b, c, d;
  if (!attn_cpu_has_avx2() || (saved_state() & 0xe6) != 0xe6) return false;
  const uint32_t f = 1u << 16, dq = 1u << 17, bw = 1u << 30, vl = 1u << 31;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (f | dq | bw | vl)) == (f | dq | bw | vl);
}
#endif

typedef struct isa_row {
  const char *name;
  const attn_kernels *f32, *f64;
} isa_row;

#define ATTN_ISA_ROW(name, available) {#name, &attn_kernels_##name##_f32, &attn_kernels_##name##_f64},
static const isa_row isas[] = {
#include "isa/list.h"
};
#undef ATTN_ISA_ROW
#define ISA_COUNT ((int)(sizeof isas / sizeof isas[0]))

int attn_isa_count(void) { return ISA_COUNT; }

const char *attn_isa_name(int index) { return index >= 0 && index < ISA_COUNT ? isas[index].name : NULL; }

/* A bit for each row that this machine can run. */
static unsigned detect(void) {
  unsigned rows = 0, bit = 1;
#define ATTN_ISA_ROW(name, available) \
  if (available) rows |= bit;         \
  bit <<= 1;
#include "isa/list.h"
#undef ATTN_ISA_ROW
  return rows;
}

/* Asked once: a virtual machine may take 2 microseconds and more for each cpuid. */
bool attn_isa_available(int index) {
  static _Atomic unsigned known; /* the last row runs everywhere, so 0 is "not asked yet" */
  unsigned rows = atomic_load_explicit(&known, memory_order_relaxed);
  if (rows == 0) {
    rows = detect();
    atomic_store_explicit(&known, rows, memory_order_relaxed);
  }
  return index >= 0 && index < ISA_COUNT && rows >> index & 1;
}

static int find_isa(const char *name) {
  for (int i = 0; i < ISA_COUNT; i++)
    if (strcmp(isas[i].name, name) == 0) return i;
  return -1;
}

static int default_isa(void) {
  const char *forced = getenv("ATTENTION_ISA");
  if (forced && forced[0]) {
    int index = find_isa(forced);
    return attn_isa_available(index) ? index : -1;
  }
  int index = 0;
  while (!attn_isa_available(index)) index++;
  return index;
}

const char *attn_isa_default(void) { return attn_isa_name(default_isa()); }

const attn_kernels *attn_kernels_for(attn_type type, const char *isa) {
  int index = isa ? find_isa(isa) : default_isa();
  if (isa && !attn_isa_available(index)) index = -1;
  if (index < 0) {
    const char *asked = isa ? isa : getenv("ATTENTION_ISA");
    attn_fail(ATTN_ERROR_ISA, "%s names '%s', which is not an instruction set this machine can run",
              isa ? "isa" : "ATTENTION_ISA", asked ? asked : "");
    return NULL;
  }
  return type == ATTN_F64 ? isas[index].f64 : isas[index].f32;
}
