//! The schema and its rules without an API server, for `claviger lint` and `claviger dev`.
