/* The instruction sets, best first: ATTN_ISA_ROW(name, whether this processor has it). Adding one is a row here, a
 * vocabulary in simd/ and a file of each compute type beside this one. */
#if defined(__x86_64__)
ATTN_ISA_ROW(avx512, attn_cpu_has_avx512())
ATTN_ISA_ROW(avx2, attn_cpu_has_avx2())
#endif
ATTN_ISA_ROW(portable, true)
