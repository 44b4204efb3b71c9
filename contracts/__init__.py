"""What the parts say to each other and what users write. Imports pydantic and a YAML parser, nothing of ours."""
