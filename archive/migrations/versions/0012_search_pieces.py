"""Who searches is given pieces of texts around the words asked for, cut by the database: whole texts are read as files.

Words are found in the texts as they were written, by a pattern that stands for all spellings of a folded word.
"""

from __future__ import annotations

import json
import string
import unicodedata
from itertools import chain

from alembic import op

revision = "0012"
down_revision = "0011"

_LOOKED_THROUGH = 200_000  # characters
_PART, _OVERLAP, _AROUND = 6_000, 400, 2_000  # bytes
_SHOWN_TOGETHER = 175
_BEFORE, _PIECE = 161, 600
_LETTERS = chain(range(0x41, 0x5B), range(0xC0, 0x250), range(0x1E00, 0x1F00))


def upgrade() -> None:
    """Replace the function that gave whole texts."""
    op.execute("DROP FUNCTION archive.search_texts")
    spellings = _spellings()
    letters = "".join(sorted(set(chain.from_iterable(spellings.values()))))
    op.execute(
        _pattern(json.dumps(spellings, ensure_ascii=False), f"0-9a-z{letters.strip(string.ascii_lowercase)}")
    )
    for function in (CHARACTER_AT, WINDOW, PIECE, PIECES):
        op.execute(function)


def _spellings() -> dict[str, str]:
    """Each Latin letter with all that fold to it, as ``archive.excerpts`` folds."""
    found = {letter: letter for letter in string.ascii_lowercase}
    for code in _LETTERS:
        base = unicodedata.normalize("NFD", chr(code).lower())[:1]
        base = "d" if base in ("đ", "\u00f0") else base
        if base in found:
            found[base] += chr(code)
    return found


def _pattern(spellings: str, letters: str) -> str:
    # One for any of the words, then one for each.
    return f"""
CREATE FUNCTION archive.search_patterns(words text[], beginnings boolean[]) RETURNS text[] LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT string_agg(spelled, '|') || array_agg(spelled)
  FROM (
    SELECT '(?<![{letters}])'
      || (SELECT string_agg(coalesce('[' || ('{spellings}'::jsonb ->> letter) || ']', letter), '' ORDER BY place)
        FROM regexp_split_to_table(word, '') WITH ORDINALITY AS x(letter, place))
      || CASE WHEN is_beginning THEN '[{letters}]*' ELSE '' END || '(?![{letters}])' AS spelled
    FROM unnest(words, beginnings) AS w(word, is_beginning) WHERE word ~ '^[0-9a-z]+$') AS parts
$$
"""  # noqa: S608 - letters


# The first byte of a character at a place of UTF-8, or of the next one; within the text.
CHARACTER_AT = """
CREATE FUNCTION archive.character_at(raw bytea, place int) RETURNS int LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found int := least(greatest(place, 0), length(raw));
BEGIN
  WHILE found < length(raw) AND get_byte(raw, found) & 192 = 128 LOOP found := found + 1; END LOOP;
  RETURN found;
END $$
"""

# From where most different words follow in what is shown together; the first such place. Texts between the hits and the
# hits themselves give the hits' places.
WINDOW = f"""
CREATE FUNCTION archive.search_window(part text, pattern text) RETURNS text LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp AS $$
  WITH hit AS (SELECT m[1] AS word, n FROM regexp_matches(part, pattern, 'g') WITH ORDINALITY AS h(m, n)),
  gap AS (
    SELECT length(g) AS size, n FROM unnest(regexp_split_to_array(part, pattern)) WITH ORDINALITY AS x(g, n)),
  placed AS (
    SELECT lower(word) AS word, (sum(gap.size + length(word)) OVER (ORDER BY n) - length(word))::int AS place
    FROM hit JOIN gap USING (n)),
  counted AS (
    SELECT place, bit_count((bit_or(1::bigint << (hashtext(word) & 63)) OVER (
      ORDER BY place RANGE BETWEEN CURRENT ROW AND {_SHOWN_TOGETHER} FOLLOWING))::bit(64)) AS different FROM placed),
  best AS MATERIALIZED (SELECT place FROM counted ORDER BY different DESC, place LIMIT 1)
  SELECT substr(part, greatest(place - {_BEFORE}, 0) + 1, {_PIECE}) FROM best
$$
"""  # noqa: S608 - constants of this module

# Of a long text only the first part that has the most of the words is looked into closely. Parts overlap, and the
# letter at each cut keeps half a word from being taken for a whole one. Bytes are cut, because to find a character's
# place all before it are counted.
PIECE = f"""
CREATE FUNCTION archive.search_piece(whole text, patterns text[]) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  looked_through text := left(whole, {_LOOKED_THROUGH});
  raw bytea;
  size int;
  start int := 0;
  stop int := 0;
  cut text;
  found int;
  best int;
  most int := 0;
BEGIN
  IF looked_through !~ patterns[1] THEN RETURN NULL; END IF;
  raw := convert_to(looked_through, 'UTF8');
  size := length(raw);
  WHILE stop < size LOOP
    stop := archive.character_at(raw, start + {_PART + _OVERLAP});
    cut := concat(CASE WHEN start > 0 THEN 'x' END, convert_from(substr(raw, start + 1, stop - start), 'UTF8'),
      CASE WHEN stop < size THEN 'x' END);
    IF cut ~ patterns[1] THEN
      found := (SELECT count(*) FROM unnest(patterns[2:]) AS p WHERE cut ~ p);
      IF found > most THEN
        most := found;
        best := start;
      END IF;
      EXIT WHEN most = cardinality(patterns) - 1;
    END IF;
    start := archive.character_at(raw, start + {_PART});
  END LOOP;
  start := archive.character_at(raw, best - {_AROUND});
  stop := archive.character_at(raw, best + {_PART + _OVERLAP + _AROUND});
  RETURN archive.search_window(convert_from(substr(raw, start + 1, stop - start), 'UTF8'), patterns[1]);
END $$
"""  # noqa: S608 - constants of this module

PIECES = """
CREATE FUNCTION archive.search_pieces(documents uuid[], words text[], beginnings boolean[])
RETURNS TABLE (document_id uuid, place text, ordinal int, name text, text text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
  WITH asked AS MATERIALIZED (SELECT archive.search_patterns(words[1:40], beginnings[1:40]) AS patterns),
  readable AS (
    SELECT e.document_id, e.version FROM archive.search_entry e JOIN archive.document d ON d.id = e.document_id
    WHERE e.document_id = ANY (documents[1:200]) AND d.access = ANY (archive.readable_classes())
      AND (NOT e.recalled OR archive.may_see_recalled())
      AND (e.document_id <> ALL (archive.search_just_hidden()) OR archive.may_see_recalled()))
  SELECT b.document_id, 'subject', 0, NULL, found.piece
  FROM asked, readable JOIN archive.search_body b USING (document_id),
    LATERAL (SELECT archive.search_piece(b.subject, asked.patterns) AS piece OFFSET 0) found
  WHERE found.piece IS NOT NULL
  UNION ALL
  SELECT r.document_id, other.place, other.ordinal, other.name, other.piece
  FROM asked, readable r, LATERAL (
    SELECT t.place, t.ordinal, t.name, found.piece
    FROM (
      SELECT 'body' AS place, 0 AS ordinal, NULL::text AS name, b.body AS whole
      FROM archive.search_body b WHERE b.document_id = r.document_id
      UNION ALL
      SELECT 'file', a.ordinal, a.name, x.text
      FROM archive.attachment a JOIN archive.extracted_text x USING (sha256)
      WHERE a.document_id = r.document_id AND a.version = r.version
      ORDER BY 1, 2) t,
      LATERAL (SELECT archive.search_piece(t.whole, asked.patterns) AS piece OFFSET 0) found
    WHERE found.piece IS NOT NULL LIMIT 1) other
$$
"""
