import Attention

/// What search needs of a model: next-token scores for rows that each hold a partial translation.
public protocol SequenceDecoder: Sendable {
  associatedtype State: Sendable
  var vocabularySize: Int { get }
  /// One row per source sentence of the batch.
  func initialState() -> State
  /// tokens: the last token of each row. logProbabilities [rows, V]; attention [rows, Tk] over the source positions.
  func step(_ tokens: [Int], _ state: State) -> (logProbabilities: Tensor, attention: Tensor, state: State)
  /// The state of rows `rows` of the current ones, in this order, repeats allowed.
  func select(_ rows: [Int], of state: State) -> State
}
