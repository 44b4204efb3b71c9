"""Says who is who: logs people in through the directory and signs every token.

Owns: sessions, issued tokens, workspaces, the signing key.
Hears: nothing.
Says: KeyPublished, TokenRevoked.
Serves: /session, /me, /workspaces, /people, /tokens.
"""
