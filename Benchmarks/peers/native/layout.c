/* Prints sizes and offsets of the public structures, as JSON, for the mirror in systems/attention_c.py. */
#include <attention.h>
#include <stdio.h>

#define OPEN(type) printf("%s\"%s\": {\"size\": %zu, \"offsets\": {", separator, #type, sizeof(type)), first = 1
#define FIELD(type, name) printf("%s\"%s\": %zu", first ? "" : ", ", #name, offsetof(type, name)), first = 0
#define CLOSE() printf("}}"), separator = ", "

int main(void) {
  const char *separator = "";
  int first;
  printf("{");

  OPEN(attn_input);
  FIELD(attn_input, data), FIELD(attn_input, stride_batch), FIELD(attn_input, stride_head);
  FIELD(attn_input, stride_row);
  CLOSE();

  OPEN(attn_output);
  FIELD(attn_output, data), FIELD(attn_output, stride_batch), FIELD(attn_output, stride_head);
  FIELD(attn_output, stride_row);
  CLOSE();

  OPEN(attn_mask);
  FIELD(attn_mask, data), FIELD(attn_mask, stride_batch), FIELD(attn_mask, stride_head);
  FIELD(attn_mask, stride_row), FIELD(attn_mask, stride_key);
  CLOSE();

  OPEN(attn_bias);
  FIELD(attn_bias, data), FIELD(attn_bias, type), FIELD(attn_bias, stride_batch), FIELD(attn_bias, stride_head);
  FIELD(attn_bias, stride_row), FIELD(attn_bias, stride_key);
  CLOSE();

#define P(name) FIELD(attn_problem, name)
  OPEN(attn_problem);
  P(struct_size), P(type), P(batch), P(query_heads), P(kv_heads), P(query_length), P(key_length), P(head_dim);
  P(value_dim), P(query), P(key), P(value), P(additive), P(additive_stride_head), P(scale), P(softcap), P(alignment);
  P(query_offset), P(query_offsets), P(causal), P(window_left), P(window_right), P(key_lengths), P(mask), P(bias);
  P(alibi_slopes), P(sinks), P(dropout_probability), P(dropout_seed), P(query_starts), P(key_starts), P(page_table);
  P(page_rows), P(page_count), P(pages_per_sequence), P(progress), P(threads), P(isa);
  CLOSE();

#define G(name) FIELD(attn_gradients, name)
  OPEN(attn_gradients);
  G(query), G(key), G(value), G(bias), G(sinks), G(additive);
  CLOSE();

  printf("}\n");
  return 0;
}
