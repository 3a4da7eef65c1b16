"""The functions through which people search, as the migration makes them.

They run as the owner, because a text search under row-level security tests every row of the table: the operator is not
leakproof, so no index may be used. Each asks ``archive.readable_classes()`` itself, and leaves out what an event after
the index's last one may have hidden.

``criteria``: an object with ``levels``, the best first, each ``{"on": "symbol"|"prefix"|"head"|"words"|"all",
"query": …}``; a document is given at the first level where it matches. A level's ``check`` is the whole query, where
``query`` is only what the index answers without reading rows; of its ``gauges`` the rarest says how many can match.
``facts`` (with ``facts_check``) must match the head where a level's query does not say so already; what matches
``without`` is left out. ``from`` and ``to`` are days of issue, ``recalled`` asks for recalled documents, too.
"""

from __future__ import annotations

MAY_SEE_RECALLED = """
CREATE FUNCTION archive.may_see_recalled() RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'personal' = ANY (archive.readable_classes())
$$
"""

# Documents that an event has touched which the index does not know yet, and that may hide them.
JUST_HIDDEN = """
CREATE FUNCTION archive.search_just_hidden() RETURNS uuid[] LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(array_agg(object::uuid), '{}') FROM archive.event
  WHERE seq > coalesce((SELECT ledger_seq FROM archive.search_state), 0)
    AND type IN ('recall', 'access change', 'deletion', 'deaccession')
    AND object ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
$$
"""

CONDITION = """
CREATE FUNCTION archive.search_condition(level jsonb, criteria jsonb) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT concat_ws(' AND ',
    CASE level->>'on'
      WHEN 'symbol' THEN 'e.symbol_norm = $1'
      WHEN 'prefix' THEN 'e.symbol_norm >= $1 AND e.symbol_norm < $1 || ''~'''
      WHEN 'head' THEN 'e.head @@ $1::tsquery'
      WHEN 'words' THEN 'e.words @@ $1::tsquery'
      WHEN 'all' THEN 'true' END,
    CASE WHEN criteria ? 'facts' AND level->>'on' NOT IN ('head', 'words') THEN 'e.head @@ $2' END,
    CASE WHEN criteria ? 'from' THEN 'e.issued_date >= $3 AND e.sort_date >= $3' END,
    CASE WHEN criteria ? 'to' THEN 'e.issued_date <= $4 AND e.sort_date <= $4' END,
    CASE WHEN NOT coalesce((criteria->>'recalled')::boolean, false) THEN 'NOT e.recalled' END)
$$
"""

# How many rows the planner expects for each condition, and of these the least. Volatile, because PostgreSQL lets no
# other function ask.
ESTIMATE = """
CREATE FUNCTION archive.search_estimate(conditions text[]) RETURNS float LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET max_parallel_workers_per_gather = 0 AS $$
DECLARE plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT JSON) ' || (
    SELECT string_agg('(SELECT FROM archive.search_entry e WHERE ' || c || ')', ' UNION ALL ')
    FROM unnest(conditions) AS c) INTO plan;
  plan := plan->0->'Plan';
  IF cardinality(conditions) = 1 THEN RETURN (plan->>'Plan Rows')::float; END IF;
  RETURN (SELECT min((p->>'Plan Rows')::float) FROM jsonb_array_elements(plan->'Plans') AS p);
END $$
"""

# How many documents may match a level at most.
EXPECTED = """
CREATE FUNCTION archive.search_expected(level jsonb) RETURNS float LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN level->>'on' IN ('symbol', 'prefix') THEN 0
    WHEN level ? 'gauges' THEN archive.search_estimate(ARRAY(
      SELECT format('e.%I @@ %L::tsquery', CASE level->>'on' WHEN 'words' THEN 'words' ELSE 'head' END, g)
      FROM jsonb_array_elements_text(level->'gauges') AS g))
    ELSE 'infinity' END
$$
"""

# ``walked``: how many rows are walked by date, newest first, before the index gathers all that match. All words of a
# document lie outside of its row, and are slower to test than what names it.
SEARCH = """
CREATE FUNCTION archive.search(criteria jsonb, most int, after_level int DEFAULT NULL, after_date date DEFAULT NULL,
  after_document uuid DEFAULT NULL)
RETURNS TABLE (document_id uuid, level int, sort_date date, source text, source_key text, kind text, version int,
  symbol text, subject text, issuer_name text, type_name text, issued_date date, direction text, signers text[],
  verdict text, file_types text[], access text, recalled boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
  levels jsonb := criteria->'levels';
  facts tsquery := (criteria->>'facts')::tsquery;
  first date := (criteria->>'from')::date;
  last date := (criteria->>'to')::date;
  classes text[] := archive.readable_classes();
  hidden uuid[] := archive.search_just_hidden();
  rows_in_all float := (SELECT greatest(reltuples, 1) FROM pg_class WHERE oid = 'archive.search_entry'::regclass);
  left_to_find int := least(most, 1000);
  current jsonb; condition text; before text; span text; query text; found int; walked int; expected float;
  edge_date date; edge_document uuid; from_date date; from_document uuid;
  rows_in_span float := rows_in_all;
BEGIN
  IF NOT archive.may_see_recalled() THEN criteria := criteria - 'recalled'; END IF;
  IF first IS NOT NULL OR last IS NOT NULL THEN
    rows_in_span := archive.search_estimate(ARRAY[format('e.sort_date BETWEEN %L AND %L',
      coalesce(first, '-infinity'), coalesce(last, 'infinity'))]);
  END IF;
  FOR n IN coalesce(after_level, 1) .. jsonb_array_length(levels) LOOP
    EXIT WHEN left_to_find <= 0;
    current := levels->(n - 1);
    query := current->>'query';
    condition := archive.search_condition(current, criteria);
    from_date := CASE WHEN n = after_level THEN after_date END;
    from_document := CASE WHEN n = after_level THEN after_document END;
    span := CASE WHEN from_date IS NULL THEN 'true' ELSE '(e.sort_date, e.document_id) < ($5, $6)' END;
    -- An unwanted word may stand outside of what names a document.
    before := concat(
      ' AND e.head @@ ' || quote_literal(criteria->>'facts_check') || '::tsquery',
      CASE WHEN current ? 'check'
        THEN format(' AND e.%I @@ %L::tsquery', current->>'on', current->>'check') END,
      ' AND NOT e.words @@ ' || quote_literal(criteria->>'without') || '::tsquery');
    FOR b IN 1 .. n - 1 LOOP
      before := before || CASE levels->(b - 1)->>'on'
        WHEN 'symbol' THEN format(' AND e.symbol_norm IS DISTINCT FROM %L', levels->(b - 1)->>'query')
        WHEN 'prefix' THEN format(' AND NOT coalesce(starts_with(e.symbol_norm, %L), false)',
          levels->(b - 1)->>'query')
        WHEN 'head' THEN format(' AND NOT e.head @@ %L::tsquery',
          coalesce(levels->(b - 1)->>'check', levels->(b - 1)->>'query'))
        WHEN 'words' THEN format(' AND NOT e.words @@ %L::tsquery',
          coalesce(levels->(b - 1)->>'check', levels->(b - 1)->>'query'))
        ELSE ' AND false' END;
    END LOOP;
    expected := archive.search_expected(current);
    walked := CASE current->>'on' WHEN 'words' THEN 1500 WHEN 'head' THEN 12000 WHEN 'all' THEN 20000 ELSE 0 END;
    IF expected * walked < left_to_find * rows_in_all AND rows_in_span > walked THEN walked := 0; END IF;
    IF walked > 0 THEN
      -- Frequent: the newest rows hold enough of them. The LIMIT keeps the planner from gathering them all.
      edge_date := NULL;
      EXECUTE 'SELECT e.sort_date, e.document_id FROM archive.search_entry e WHERE ' || span
        || CASE WHEN first IS NOT NULL THEN ' AND e.sort_date >= $3' ELSE '' END
        || CASE WHEN last IS NOT NULL THEN ' AND e.sort_date <= $4' ELSE '' END
        || ' ORDER BY e.sort_date DESC, e.document_id DESC OFFSET ' || walked - 1 || ' LIMIT 1'
        INTO edge_date, edge_document USING NULL::text, NULL::tsquery, first, last, from_date, from_document;
      RETURN QUERY EXECUTE archive.search_rows_of(
        'SELECT e.sort_date, e.document_id FROM (SELECT * FROM archive.search_entry e WHERE ' || span
        || CASE WHEN first IS NOT NULL THEN ' AND e.sort_date >= $3' ELSE '' END
        || CASE WHEN last IS NOT NULL THEN ' AND e.sort_date <= $4' ELSE '' END
        || ' ORDER BY e.sort_date DESC, e.document_id DESC LIMIT ' || walked || ') e WHERE ' || condition
        || ' ORDER BY e.sort_date DESC, e.document_id DESC', n, before)
        USING query, facts, first, last, from_date, from_document, classes, hidden, left_to_find;
      GET DIAGNOSTICS found = ROW_COUNT;
      left_to_find := left_to_find - found;
      CONTINUE WHEN edge_date IS NULL;
      EXIT WHEN left_to_find <= 0;
      from_date := edge_date;
      from_document := edge_document;
      span := '(e.sort_date, e.document_id) < ($5, $6)';
    END IF;
    RETURN QUERY EXECUTE archive.search_rows_of(
      'SELECT e.sort_date, e.document_id FROM archive.search_entry e WHERE ' || condition || ' AND ' || span
      || ' ORDER BY e.sort_date DESC, e.document_id DESC OFFSET 0', n, before)
      USING query, facts, first, last, from_date, from_document, classes, hidden, left_to_find;
    GET DIAGNOSTICS found = ROW_COUNT;
    left_to_find := left_to_find - found;
  END LOOP;
END $$
"""

# What is slow to test, and who may read, is asked of the found rows one by one, in order, until there are enough.
ROWS_OF = """
CREATE FUNCTION archive.search_rows_of(found text, level int, before text) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'SELECT r.* FROM (' || found || ') m CROSS JOIN LATERAL (
    SELECT e.document_id, ' || level || ', e.sort_date, e.source::text, d.source_key::text, e.kind::text, e.version,
      v.symbol, v.subject, v.issuer_name, v.type_name, e.issued_date, e.direction::text, v.signers, e.verdict::text,
      e.file_types, d.access::text, e.recalled
    FROM archive.search_entry e JOIN archive.document d ON d.id = e.document_id
    JOIN archive.document_version v ON v.document_id = e.document_id AND v.version = e.version
    WHERE e.document_id = m.document_id AND d.access = ANY ($7) AND e.document_id <> ALL ($8)' || before
  || ' OFFSET 0) r ORDER BY m.sort_date DESC, m.document_id DESC LIMIT $9'
$$
"""

FACETS = """
CREATE FUNCTION archive.search_facets(criteria jsonb, most int)
RETURNS TABLE (facet text, value text, label text, documents bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  last_level jsonb := criteria->'levels'->-1;
  condition text; named jsonb;
BEGIN
  IF NOT archive.may_see_recalled() THEN criteria := criteria - 'recalled'; END IF;
  -- The last level holds what the ones before it do, but for numbers spelled otherwise.
  condition := concat('(' || archive.search_condition(last_level, criteria) || ')',
    CASE WHEN last_level ? 'check' THEN format(' AND e.words @@ %L::tsquery', last_level->>'check') END);
  FOR named IN SELECT l FROM jsonb_array_elements(criteria->'levels') l WHERE l->>'on' IN ('symbol', 'prefix') LOOP
    condition := condition || ' OR ('
      || replace(archive.search_condition(named, criteria), '$1', quote_literal(named->>'query')) || ')';
  END LOOP;
  condition := concat('(' || condition || ')',
    ' AND e.head @@ ' || quote_literal(criteria->>'facts_check') || '::tsquery');
  RETURN QUERY EXECUTE
    'WITH matching AS MATERIALIZED (
      SELECT e.source, e.type_code, e.type_name, e.organ, e.organ_name, e.verdict, e.direction, e.kind, e.file_types,
        extract(year FROM e.issued_date)::int::text AS year
      FROM archive.search_entry e JOIN archive.document d ON d.id = e.document_id
      WHERE (' || condition || ') AND d.access = ANY ($5) AND e.document_id <> ALL ($6) LIMIT $7)
    SELECT ''total'', NULL, NULL, count(*) FROM matching
    UNION ALL SELECT ''source'', m.source::text, NULL, count(*) FROM matching m GROUP BY 2
    UNION ALL SELECT ''type'', m.type_code::text, max(m.type_name), count(*) FROM matching m GROUP BY 2
    UNION ALL SELECT ''organ'', m.organ::text, max(m.organ_name), count(*) FROM matching m GROUP BY 2
    UNION ALL SELECT ''year'', m.year, NULL, count(*) FROM matching m GROUP BY 2
    UNION ALL SELECT ''verdict'', m.verdict::text, NULL, count(*) FROM matching m GROUP BY 2
    UNION ALL SELECT ''direction'', m.direction::text, NULL, count(*) FROM matching m GROUP BY 2
    UNION ALL SELECT ''kind'', m.kind::text, NULL, count(*) FROM matching m GROUP BY 2
    UNION ALL SELECT ''file'', f, NULL, count(*) FROM matching m, unnest(m.file_types) AS f GROUP BY 2'
    USING last_level->>'query', (criteria->>'facts')::tsquery, (criteria->>'from')::date, (criteria->>'to')::date,
      archive.readable_classes(), archive.search_just_hidden(), least(most, 100000);
END $$
"""

TEXTS = """
CREATE FUNCTION archive.search_texts(documents uuid[], most int)
RETURNS TABLE (document_id uuid, place text, ordinal int, name text, text text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH readable AS (
    SELECT e.document_id, e.version FROM archive.search_entry e JOIN archive.document d ON d.id = e.document_id
    WHERE e.document_id = ANY (documents) AND d.access = ANY (archive.readable_classes())
      AND (NOT e.recalled OR archive.may_see_recalled())
      AND (e.document_id <> ALL (archive.search_just_hidden()) OR archive.may_see_recalled()))
  SELECT b.document_id, 'subject', 0, NULL, left(b.subject, most)
    FROM readable JOIN archive.search_body b USING (document_id) WHERE b.subject IS NOT NULL
  UNION ALL SELECT b.document_id, 'body', 0, NULL, left(b.body, most)
    FROM readable JOIN archive.search_body b USING (document_id) WHERE b.body IS NOT NULL
  UNION ALL SELECT a.document_id, 'file', a.ordinal, a.name, left(x.text, most)
    FROM readable JOIN archive.attachment a USING (document_id, version)
    JOIN archive.extracted_text x USING (sha256)
$$
"""

BEHIND = """
CREATE FUNCTION archive.search_behind() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce((SELECT max(seq) FROM archive.event), 0)
    - coalesce((SELECT ledger_seq FROM archive.search_state), 0)
$$
"""

FUNCTIONS = (
    MAY_SEE_RECALLED,
    JUST_HIDDEN,
    CONDITION,
    ESTIMATE,
    EXPECTED,
    ROWS_OF,
    SEARCH,
    FACETS,
    TEXTS,
    BEHIND,
)
"""In the order in which they are made."""
