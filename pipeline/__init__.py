"""The stages of a run as plain functions, the accounting, and the ``lienthong`` command. Knows no Airflow."""
