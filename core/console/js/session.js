// Who is signed in: the token is kept for this tab alone, and gone with it.
import { makeStore, useStore } from "./store.js";

const KEY = "hookline.token";
const RANK = { ingest: 1, read: 2, admin: 3 };

// { token, role, notice }: role is null until the host was asked, notice says why one is signed out.
export const session = makeStore({ token: sessionStorage.getItem(KEY), role: null, notice: null });

export function signIn(token, role) {
  sessionStorage.setItem(KEY, token);
  session.set({ token, role, notice: null });
}

export function signOut(notice = null) {
  sessionStorage.removeItem(KEY);
  session.set({ token: null, role: null, notice });
}

export function useCan(role) {
  const { role: mine } = useStore(session);
  return (RANK[mine] || 0) >= RANK[role];
}
