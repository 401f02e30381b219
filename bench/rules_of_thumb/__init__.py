"""Rules of thumb, asked of tables: what each claims, which trainings answer it, how it is judged, how it is told."""
