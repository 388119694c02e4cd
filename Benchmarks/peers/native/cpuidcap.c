/*
 * Makes a process believe that its processor ends at AVX2, for libraries that offer no switch of their own (ONNX
 * Runtime), and the same for all. Linux lets a thread turn the CPUID instruction into a fault (arch_prctl(2),
 * ARCH_SET_CPUID; processor flag cpuid_fault); the handler answers in its stead, without the bits of AVX-512, AVX10
 * and AMX. Threads made later inherit it; what asked before, such as the loader's memcpy, is not reached.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { SET_CPUID = 0x1012 };

static long allow_cpuid(unsigned long allow) { return syscall(SYS_arch_prctl, SET_CPUID, allow); }

static void mask_features(unsigned leaf, unsigned subleaf, unsigned r[4]) {
  enum { A, B, C, D };
  if (leaf == 7 && subleaf == 0) {
    r[B] &= ~(1u << 16 | 1u << 17 | 1u << 21 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30 | 1u << 31);
    r[C] &= ~(1u << 1 | 1u << 6 | 1u << 11 | 1u << 12 | 1u << 14);
    r[D] &= ~(1u << 2 | 1u << 3 | 1u << 8 | 1u << 22 | 1u << 23 | 1u << 24 | 1u << 25);
  } else if (leaf == 7 && subleaf == 1) {
    r[A] &= ~(1u << 5 | 1u << 21); /* AVX512_BF16, AMX_FP16 */
    r[D] &= ~(1u << 8 | 1u << 19); /* AMX_COMPLEX, AVX10 */
  } else if (leaf == 13 && subleaf == 0) {
    r[A] &= ~(7u << 5 | 3u << 17); /* saved state of AVX-512 and AMX */
  } else if (leaf == 0x1d || leaf == 0x1e || leaf == 0x24) {
    r[A] = r[B] = r[C] = r[D] = 0;
  }
}

static void on_fault(int number, siginfo_t *info, void *context) {
  (void)info;
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  const uint8_t *instruction = (const uint8_t *)registers[REG_RIP];
  if (instruction[0] != 0x0f || instruction[1] != 0xa2) {
    signal(number, SIG_DFL); /* a fault like any other: it happens again and ends the process */
    return;
  }
  const unsigned leaf = (unsigned)registers[REG_RAX], subleaf = (unsigned)registers[REG_RCX];
  unsigned r[4];
  allow_cpuid(1);
  __cpuid_count(leaf, subleaf, r[0], r[1], r[2], r[3]);
  allow_cpuid(0);
  mask_features(leaf, subleaf, r);
  registers[REG_RAX] = r[0];
  registers[REG_RBX] = r[1];
  registers[REG_RCX] = r[2];
  registers[REG_RDX] = r[3];
  registers[REG_RIP] += 2;
}

/* Caps this process. 1, or 0 where system or processor cannot. */
int cap_at_avx2(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_RESTART};
  struct sigaction before;
  if (sigaction(SIGSEGV, &action, &before) != 0) return 0;
  if (allow_cpuid(0) == 0) return 1;
  sigaction(SIGSEGV, &before, NULL);
  return 0;
}

/* Whether CPUID, as this process sees it, names AVX-512. */
int sees_avx512(void) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 16 & 1);
}
