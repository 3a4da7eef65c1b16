"""The subcommands of ``lienthong``, one module each."""
