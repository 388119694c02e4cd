extension HTMLParts {
  /// What the chosen query and key look like: bands in the map, tints of the tokens, the line of text.
  static let choice = #"""
    function tint(list, isChosen, weightAt) {
      [...list.children].forEach((token, index) => {
        const weight = weightAt(index);
        const fill = isNumber(weight) ? colour(weight) : "";
        token.style.background = fill;
        token.style.color = fill && inkOn(fill);
        token.title = weight === null ? token.textContent : `${token.textContent}: ${number(weight)}`;
        token.classList.toggle("chosen", isChosen(index));
      });
    }

    function show() {
      const { query, key } = chosen, { cell, left, top } = layout;
      const at = (row, column) => row === null || column === null ? null : weights[row * keys.length + column];
      tint(find("queries"), (index) => index === query, (index) => at(index, key));
      tint(find("keys"), (index) => index === key, (index) => at(query, index));
      const context = marks.getContext("2d");
      context.clearRect(0, 0, layout.width, layout.height);
      context.strokeStyle = context.fillStyle = variable("--mark");
      context.lineWidth = 2;
      context.font = `bold ${layout.font}`;
      if (query !== null) context.strokeRect(left - 1, top + query * cell - 1, keys.length * cell + 1, cell + 1);
      if (key !== null) context.strokeRect(left + key * cell - 1, top - 1, cell + 1, queries.length * cell + 1);
      // Labels stay in the margins.
      context.save();
      context.beginPath();
      context.rect(0, 0, left - 2, layout.height);
      context.rect(0, 0, layout.width, top - 2);
      context.clip();
      if (query !== null) rowLabel(context, query, variable("--paper"));
      if (key !== null) columnLabel(context, key, variable("--paper"));
      context.restore();
      const parts = [query === null ? "" : `query ${queries[query]}`, key === null ? "" : `key ${keys[key]}`];
      const weight = at(query, key) === null ? "" : `weight ${number(at(query, key))}`;
      find("status").textContent = [...parts, weight].filter(Boolean).join("  ·  ");
    }
    """#
}
