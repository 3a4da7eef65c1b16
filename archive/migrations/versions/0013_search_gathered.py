"""Searches that few documents match read the long vectors of those that are shown, not of all."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"

# All documents that match a condition, by the index; NULL where they are more than ``most``.
GATHERED = """
CREATE FUNCTION archive.search_gathered(condition text, most int) RETURNS uuid[] LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE ids uuid[];
BEGIN
  EXECUTE format('SELECT array_agg(document_id) FROM (
    SELECT e.document_id FROM archive.search_entry e WHERE %s LIMIT %s) AS f', condition, most + 1) INTO ids;
  RETURN CASE WHEN coalesce(cardinality(ids), 0) <= most THEN coalesce(ids, '{}') END;
END $$
"""

# The documents of the last level, which holds those of the levels before it, where they are few. A word that the
# statistics do not know is taken for half as frequent as the rarest that they do: among a million documents for some
# thousand, which cost little to gather and are few in truth.
FEW = """
CREATE OR REPLACE FUNCTION archive.search_few(criteria jsonb) RETURNS uuid[] LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  level jsonb := criteria->'levels'->-1;
  condition text := archive.search_condition(level, criteria);
  few int := 800;
BEGIN
  IF archive.search_estimate(ARRAY[condition]) > few AND archive.search_expected(level) > 10 * few THEN
    RETURN NULL;
  END IF;
  RETURN archive.search_gathered(condition, few);
END $$
"""

# Frequent documents are found among the newest rows, rare ones by gathering all that match. The size of the ``span``
# of rows that is looked through first comes from how many can match; a small one is walked, a larger one is gathered.
# Words lie outside of their row and are slow to test, which the costs tell the planner. Where few documents match the
# last level, the index says which of them match the others; their words are read only for places, newest first, until
# the page is full.
SEARCH = """
CREATE OR REPLACE FUNCTION archive.search(criteria jsonb, most int, after_level int DEFAULT NULL,
  after_date date DEFAULT NULL, after_document uuid DEFAULT NULL)
RETURNS TABLE (document_id uuid, level int, sort_date date, source text, source_key text, kind text, version int,
  symbol text, subject text, issuer_name text, type_name text, issued_date date, direction text, signers text[],
  verdict text, file_types text[], access text, recalled boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
SET max_parallel_workers_per_gather = 0 SET cpu_operator_cost = 0.1 AS $$
DECLARE
  newest text := ' ORDER BY e.sort_date DESC, e.document_id DESC ';
  in_order text := 'ORDER BY m.sort_date DESC, m.document_id DESC LIMIT $3';
  levels jsonb := criteria->'levels';
  last int := jsonb_array_length(levels);
  classes text[] := archive.readable_classes();
  hidden uuid[] := archive.search_just_hidden();
  rows_in_all float := (SELECT greatest(reltuples, 1) FROM pg_class WHERE oid = 'archive.search_entry'::regclass);
  left_to_find int := least(most, 1000);
  few uuid[]; nearer uuid[]; chosen uuid[]; is_gathered boolean;
  asked text; checked text; days text; condition text; expected float; matching float; walkable int;
  span float;
  below_date date; below_document uuid; edge_date date; place text; found int;
BEGIN
  IF NOT archive.may_see_recalled() THEN criteria := criteria - 'recalled'; END IF;
  IF last > 1 THEN
    few := archive.search_few(criteria);
  END IF;
  days := concat(' AND e.sort_date >= ' || quote_literal(criteria->>'from'),
    ' AND e.sort_date <= ' || quote_literal(criteria->>'to'));
  FOR n IN coalesce(after_level, 1) .. last LOOP
    EXIT WHEN left_to_find = 0;  -- before the planner is asked about what is not shown
    asked := levels->(n - 1)->>'on';
    condition := archive.search_condition(levels->(n - 1), criteria);
    is_gathered := few IS NOT NULL AND asked IN ('head', 'words');
    -- What is quick to test comes first: numbers and the head, which lie in the row.
    checked := '';
    FOR b IN 0 .. n - 2 LOOP
      CONTINUE WHEN levels->b->>'on' = 'words';
      checked := checked || 'NOT ' || archive.search_check(levels->b) || ' AND ';
    END LOOP;
    checked := checked || archive.search_check_all(criteria);
    IF levels->(n - 1) ? 'check' OR (is_gathered AND asked = 'head') THEN
      checked := checked || ' AND ' || archive.search_check(levels->(n - 1));
    END IF;
    FOR b IN 0 .. n - 2 LOOP
      CONTINUE WHEN levels->b->>'on' <> 'words';
      IF is_gathered AND nearer IS NULL THEN
        nearer := archive.search_gathered(archive.search_condition(levels->b, criteria), 100000);
      END IF;
      checked := checked || CASE
        WHEN NOT is_gathered OR nearer IS NULL THEN ' AND NOT ' || archive.search_check(levels->b)
        WHEN levels->b ? 'check'
          THEN ' AND NOT (e.document_id = ANY ($8) AND ' || archive.search_check(levels->b) || ')'
        ELSE ' AND e.document_id <> ALL ($8)' END;
    END LOOP;
    below_date := CASE WHEN n = after_level THEN after_date END;
    below_document := CASE WHEN n = after_level THEN after_document END;
    place := concat(days, CASE WHEN below_date IS NOT NULL THEN ' AND (e.sort_date, e.document_id) < ($4, $5)' END);
    IF is_gathered THEN
      chosen := few;
      IF asked = 'words' AND n < last THEN
        nearer := archive.search_gathered(condition, 100000);
        chosen := nearer;
      END IF;
      RETURN QUERY EXECUTE archive.search_rows_of('SELECT e.sort_date, e.document_id FROM archive.search_entry e
        WHERE e.document_id = ANY ($7)' || place || newest || 'OFFSET 0', n::text, checked) || in_order
        USING classes, hidden, left_to_find, below_date, below_document, NULL::date, chosen, nearer;
      GET DIAGNOSTICS found = ROW_COUNT;
      left_to_find := left_to_find - found;
      CONTINUE;
    END IF;
    expected := archive.search_expected(levels->(n - 1));
    walkable := CASE asked WHEN 'words' THEN 1500 WHEN 'head' THEN 8000 WHEN 'all' THEN 20000 ELSE 0 END;
    -- Where the planner expects few, for it knows of all conditions together, they are gathered at once.
    matching := CASE WHEN expected > 3000 THEN archive.search_estimate(ARRAY[condition]) ELSE 0 END;
    span := CASE WHEN matching > 1000 THEN greatest(200, 2 * left_to_find * rows_in_all / matching) END;
    WHILE left_to_find > 0 LOOP
      place := concat(days, CASE WHEN below_date IS NOT NULL THEN ' AND (e.sort_date, e.document_id) < ($4, $5)' END);
      edge_date := NULL;
      IF span < rows_in_all / 2 THEN
        EXECUTE 'SELECT e.sort_date FROM archive.search_entry e WHERE true' || place || newest
          || format('OFFSET %s LIMIT 1', span::bigint - 1)
          INTO edge_date USING classes, hidden, 0, below_date, below_document;
        place := concat(place, CASE WHEN edge_date IS NOT NULL THEN ' AND e.sort_date >= $6' END);
      END IF;
      RETURN QUERY EXECUTE archive.search_rows_of('SELECT e.sort_date, e.document_id FROM '
        || CASE WHEN span <= walkable
          THEN '(SELECT * FROM archive.search_entry e WHERE true' || place || newest || 'OFFSET 0) e WHERE '
            || condition || newest
          ELSE 'archive.search_entry e WHERE ' || condition || place || newest || 'OFFSET 0' END,
        n::text, checked) || in_order
        USING classes, hidden, left_to_find, below_date, below_document, edge_date;
      GET DIAGNOSTICS found = ROW_COUNT;
      left_to_find := left_to_find - found;
      EXIT WHEN edge_date IS NULL;
      below_date := edge_date;
      below_document := '00000000-0000-0000-0000-000000000000';
      span := 4 * span;
    END LOOP;
  END LOOP;
END $$
"""


def upgrade() -> None:
    """Replace the functions that gathered, and read, more."""
    for function in (GATHERED, FEW, SEARCH):
        op.execute(function)
