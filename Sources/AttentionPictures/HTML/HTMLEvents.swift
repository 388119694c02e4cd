extension HTMLParts {
  /// How query and key are chosen: pointer, keys, the lists, the address.
  static let events = #"""
    function choose(query, key, keep) {
      if (isKept && keep === undefined) return;
      isKept = Boolean(keep);
      chosen = { query, key };
      show();
      if (keep !== undefined) remember();
    }

    function remember() {
      const entries = { layer: layerSelect.value, head: headSelect.value };
      if (chosen.query !== null) entries.query = chosen.query;
      if (chosen.key !== null) entries.key = chosen.key;
      history.replaceState(null, "", "#" + new URLSearchParams(entries));
    }

    function readAddress() {
      const address = new URLSearchParams(location.hash.slice(1));
      const index = (name, list) => {
        const value = Number(address.get(name) ?? NaN);
        return Number.isInteger(value) && value >= 0 && value < list.length ? value : null;
      };
      layerSelect.value = String(index("layer", layers) ?? 0);
      chooseLayer();
      const head = address.get("head");
      if ([...headSelect.options].some((option) => option.value === head)) headSelect.value = head;
      if (address.has("query") || address.has("key")) {
        chosen = { query: index("query", queries), key: index("key", keys) };
        isKept = true;
      }
    }

    function cellAt(event) {
      const box = map.getBoundingClientRect(), { cell, left, top } = layout;
      const query = Math.floor((event.clientY - box.top - top) / cell);
      const key = Math.floor((event.clientX - box.left - left) / cell);
      const within = (index, list) => index >= 0 && index < list.length ? index : null;
      return [within(query, queries), within(key, keys)];
    }

    const clear = () => choose(null, null, false);
    picture.addEventListener("pointermove", (event) => choose(...cellAt(event)));
    picture.addEventListener("pointerleave", () => choose(null, null));
    picture.addEventListener("click", (event) => isKept ? clear() : choose(...cellAt(event), true));
    picture.addEventListener("keydown", (event) => {
      const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
      const { query, key } = chosen, bound = (index, list) => Math.min(Math.max(index, 0), list.length - 1);
      if (steps[event.key]) {
        const [down, right] = query === null && key === null ? [0, 0] : steps[event.key];
        choose(bound((query ?? 0) + down, queries), bound((key ?? 0) + right, keys), true);
      } else if (event.key === "Home") choose(query ?? 0, 0, true);
      else if (event.key === "End") choose(query ?? 0, keys.length - 1, true);
      else if (event.key !== "Enter") return;
      event.preventDefault();
    });
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") clear(); });

    for (const [id, labels, pair] of [["queries", queries, (i) => [i, null]], ["keys", keys, (i) => [null, i]]]) {
      find(id).replaceChildren(...labels.map((text, index) => {
        const token = document.createElement("button");
        token.textContent = text;
        token.addEventListener("pointerenter", () => choose(...pair(index)));
        token.addEventListener("pointerleave", () => choose(null, null));
        token.addEventListener("focus", () => choose(...pair(index)));
        token.addEventListener("click", () => {
          token.classList.contains("chosen") && isKept ? clear() : choose(...pair(index), true);
        });
        return token;
      }));
    }

    layerSelect.addEventListener("change", () => { chooseLayer(); chooseMap(); remember(); });
    headSelect.addEventListener("change", () => { chooseMap(); remember(); });
    rangeSelect.addEventListener("change", chooseMap);
    darkness.addEventListener("change", () => { draw(); show(); });
    addEventListener("hashchange", () => { readAddress(); chooseMap(); });

    fillSelect(layerSelect, layers.map((layer, index) => [String(index), layer.name]));
    rangeSelect.parentElement.hidden = layers.length === 1 && layers[0].heads.length === 1;
    readAddress();
    if (queries.length === 0 || keys.length === 0) {
      find("status").textContent = `nothing to draw: ${queries.length} queries × ${keys.length} keys`;
    } else {
      chooseMap();
    }
    """#
}
