import os


class Config:
    SECRET_KEY = os.environ.get('SECRET_KEY') or 'change me'
    SQLALCHEMY_DATABASE_URI = os.environ.get('DATABASE_URL') or 'sqlite:///chirp.sqlite'
    POSTS_PER_PAGE = 3
