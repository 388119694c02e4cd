import CAttention

extension Kernel {
  /// One direction of one recurrent layer over packed sequences; see attn_recurrence.
  struct Recurrence: Sendable {
    var kind: RecurrentKind
    var batch, hiddenDimensions: Int
    var stepRows: [Int]
    var isReverse: Bool
    var weight: [Float]
    var inputBias, hiddenBias, initialHidden, initialCell: [Float]?

    /// N.
    var rows: Int { stepRows.reduce(0, +) }
    /// K·H.
    var gateWidth: Int { kind.gates * hiddenDimensions }
  }

  /// Turns x·Wihᵀ in `gates` into the gates, and writes the hidden states, [N, H] with rows `hiddenRow` apart.
  static func recurrenceForward(
    _ recurrence: Recurrence, gates: inout [Float], hidden: UnsafeMutablePointer<Float>?, hiddenRow: Int
  ) -> (cell: [Float], finalHidden: [Float], finalCell: [Float]?) {
    let (h, isLSTM) = (recurrence.hiddenDimensions, recurrence.kind == .lstm)
    var cell = written(recurrence.rows * h)
    var finalHidden = written(recurrence.batch * h)
    var finalCell = isLSTM ? written(recurrence.batch * h) : nil
    withLayer(recurrence) { layer in
      gates.withUnsafeMutableBytes { gates in
        cell.withUnsafeMutableBytes { cell in
          finalHidden.withUnsafeMutableBytes { finalHidden in
            withMutablePointer(to: &finalCell) { finalCell in
              var states = attn_recurrence_states(
                gates: gates.baseAddress, cell: cell.baseAddress, hidden: hidden, hidden_row: Int64(hiddenRow),
                final_hidden: finalHidden.baseAddress, final_cell: finalCell)
              check(isLSTM ? attn_lstm_forward(&layer, &states) : attn_gru_forward(&layer, &states), recurrence)
            }
          }
        }
      }
    }
    return (cell, finalHidden, finalCell)
  }

  /// Gradients of all that forward reads: those of x·Wihᵀ are `gates`, [N, K·H].
  struct RecurrenceGradients {
    var gates, weight: [Float]
    var inputBias, hiddenBias: [Float]?
    var initialHidden: [Float]
    var initialCell: [Float]?
  }

  /// From what forward left; `hidden` and `hiddenGradient` are [N, H] with rows `hiddenRow` apart.
  static func recurrenceBackward(
    _ recurrence: Recurrence, gates: [Float], cell: [Float], hidden: UnsafePointer<Float>?,
    hiddenGradient: UnsafePointer<Float>?, hiddenRow: Int, finalHidden: [Float]?, finalCell: [Float]?
  ) -> RecurrenceGradients {
    let (h, isLSTM) = (recurrence.hiddenDimensions, recurrence.kind == .lstm)
    let state = recurrence.batch * h
    var result = RecurrenceGradients(
      gates: written(recurrence.rows * recurrence.gateWidth), weight: written(recurrence.gateWidth * h),
      inputBias: recurrence.inputBias.map { written($0.count) },
      hiddenBias: recurrence.hiddenBias.map { written($0.count) }, initialHidden: written(state),
      initialCell: isLSTM ? written(state) : nil)
    withLayer(recurrence) { layer in
      gates.withUnsafeBytes { gates in
        cell.withUnsafeBytes { cell in
          withGradients(&result, hiddenGradient, hiddenRow, finalHidden, finalCell) { gradients in
            // Read only, in the backward pass.
            var states = attn_recurrence_states(
              gates: UnsafeMutableRawPointer(mutating: gates.baseAddress),
              cell: UnsafeMutableRawPointer(mutating: cell.baseAddress),
              hidden: UnsafeMutableRawPointer(mutating: hidden), hidden_row: Int64(hiddenRow), final_hidden: nil,
              final_cell: nil)
            check(
              isLSTM
                ? attn_lstm_backward(&layer, &states, &gradients) : attn_gru_backward(&layer, &states, &gradients),
              recurrence)
          }
        }
      }
    }
    return result
  }

  private static func check(_ status: attn_status, _ recurrence: Recurrence) {
    if status != ATTN_OK { fatalError("\(recurrence.kind): \(String(cString: attn_error_message()))") }
  }

  private static func withLayer(_ recurrence: Recurrence, _ body: (inout attn_recurrence) -> Void) {
    var layer = attn_recurrence()
    layer.type = ATTN_F32
    layer.batch = Int64(recurrence.batch)
    layer.hidden = Int64(recurrence.hiddenDimensions)
    layer.steps = Int64(recurrence.stepRows.count)
    layer.reverse = recurrence.isReverse
    recurrence.stepRows.withUnsafeBytes { stepRows in
      layer.step_rows = stepRows.baseAddress?.assumingMemoryBound(to: Int64.self)
      recurrence.weight.withUnsafeBytes { weight in
        layer.weight = weight.baseAddress
        withConstantPointer(to: recurrence.inputBias) { inputBias in
          layer.input_bias = inputBias
          withConstantPointer(to: recurrence.hiddenBias) { hiddenBias in
            layer.hidden_bias = hiddenBias
            withConstantPointer(to: recurrence.initialHidden) { initialHidden in
              layer.initial_hidden = initialHidden
              withConstantPointer(to: recurrence.initialCell) { initialCell in
                layer.initial_cell = initialCell
                body(&layer)
              }
            }
          }
        }
      }
    }
  }

  private static func withGradients(
    _ result: inout RecurrenceGradients, _ hiddenGradient: UnsafePointer<Float>?, _ hiddenRow: Int,
    _ finalHidden: [Float]?, _ finalCell: [Float]?, _ body: (inout attn_recurrence_gradients) -> Void
  ) {
    var gradients = attn_recurrence_gradients()
    gradients.hidden = UnsafeRawPointer(hiddenGradient)
    gradients.hidden_row = Int64(hiddenRow)
    withConstantPointer(to: finalHidden) { finalHidden in
      gradients.final_hidden = finalHidden
      withConstantPointer(to: finalCell) { finalCell in
        gradients.final_cell = finalCell
        result.gates.withUnsafeMutableBytes { gates in
          gradients.gates = gates.baseAddress
          result.weight.withUnsafeMutableBytes { weight in
            gradients.weight = weight.baseAddress
            withMutablePointer(to: &result.inputBias) { inputBias in
              gradients.input_bias = inputBias
              withMutablePointer(to: &result.hiddenBias) { hiddenBias in
                gradients.hidden_bias = hiddenBias
                result.initialHidden.withUnsafeMutableBytes { initialHidden in
                  gradients.initial_hidden = initialHidden.baseAddress
                  withMutablePointer(to: &result.initialCell) { initialCell in
                    gradients.initial_cell = initialCell
                    body(&gradients)
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}
