"""Records of one system that may be the same human's: looked for, scored and grouped, so that somebody can decide. Nothing here links anything."""
