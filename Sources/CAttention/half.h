/* Conversions of F16 (IEEE binary16) and BF16 (bfloat16) to and from F32: exact up, round to nearest even down. */
#ifndef ATTENTION_HALF_H
#define ATTENTION_HALF_H

#include <stdint.h>
#include <string.h>

static inline float attn_bits_to_f32(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline uint32_t attn_f32_to_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline float attn_bf16_to_f32(uint16_t h) { return attn_bits_to_f32((uint32_t)h << 16); }

static inline uint16_t attn_f32_to_bf16(float x) {
  uint32_t bits = attn_f32_to_bits(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)((bits >> 16) | 0x0040u); /* NaN stays NaN, and quiet */
  return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

static inline float attn_f16_to_f32(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000u) << 16, magnitude = h & 0x7fffu;
  if (magnitude >= 0x7c00u) return attn_bits_to_f32(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
  if (magnitude >= 0x0400u) return attn_bits_to_f32(sign | ((magnitude << 13) + 0x38000000u));
  float subnormal = (float)magnitude * 0x1p-24f;
  return sign ? -subnormal : subnormal;
}

static inline uint16_t attn_f32_to_f16(float x) {
  uint32_t bits = attn_f32_to_bits(x), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return (uint16_t)(sign | 0x7e00u | (magnitude >> 13 & 0x3ffu));
  if (magnitude >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u); /* 65520 and up round to infinity */
  if (magnitude < 0x38800000u) /* below 2^-14: adding 1/2 rounds to a multiple of 2^-24 */
    return (uint16_t)(sign | (attn_f32_to_bits(attn_bits_to_f32(magnitude) + 0.5f) - 0x3f000000u));
  return (uint16_t)(sign | ((magnitude + 0xfffu + (magnitude >> 13 & 1u) - 0x38000000u) >> 13));
}

#endif
