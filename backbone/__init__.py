"""The only code that touches Kafka, documents, blobs, Docker, LDAP, PostgreSQL, time and the environment."""
