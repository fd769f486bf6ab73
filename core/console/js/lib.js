// Preact and htm, as all files of the console use them.
import { h, render } from "../lib/preact.js";
import htm from "../lib/htm.js";

export { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../lib/hooks.js";
export { render };
export const html = htm.bind(h);
